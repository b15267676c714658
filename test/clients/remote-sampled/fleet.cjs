// What both programs share: requests at given rates, and a line of JSON every 200 ms that says how many of each operation were sampled since
// the line before. The programs themselves are written as their authors would write them.
'use strict';

/** FLEET is an object of requests per second by operation. */
exports.run = function run(startRoot) {
  const rates = Object.entries(JSON.parse(process.env.FLEET));
  const counts = Object.fromEntries(rates.map(([operation]) => [operation, { sent: 0, sampled: 0 }]));
  const due = Object.fromEntries(rates.map(([operation]) => [operation, 0]));
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    for (const [operation, rate] of rates) {
      due[operation] += ((now - last) / 1000) * rate;
      for (; due[operation] >= 1; due[operation]--) {
        counts[operation].sent++;
        if (startRoot(operation)) counts[operation].sampled++;
      }
    }
    last = now;
  }, 10);
  setInterval(() => {
    console.log(JSON.stringify(counts));
    for (const count of Object.values(counts)) count.sent = count.sampled = 0;
  }, 200);
  // Whoever started it ends it; if nobody does, it does not stay.
  setTimeout(() => process.exit(0), 300_000);
};
