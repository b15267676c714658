/** A text of an endpoint is in `texts[start, end)` of its view; absent when these are equal. */
export class EndpointView {
  serviceStart = 0;
  serviceEnd = 0;
  ipv4Start = 0;
  ipv4End = 0;
  ipv6Start = 0;
  ipv6End = 0;
  /** 0 for none. */
  port = 0;

  clear(): void {
    this.serviceStart = this.serviceEnd = 0;
    this.ipv4Start = this.ipv4End = 0;
    this.ipv6Start = this.ipv6End = 0;
    this.port = 0;
  }

  get hasNameOrAddress(): boolean {
    return this.serviceEnd > this.serviceStart || this.ipv4End > this.ipv4Start || this.ipv6End > this.ipv6Start;
  }

  get isEmpty(): boolean {
    return !this.hasNameOrAddress && this.port === 0;
  }
}
