/** How many service colours there are; tokens `--service-1` to `--service-10`. */
export const serviceSlots = 10;

/** A service's colour: a slot from 0, and whether it is hatched because all slots were taken before. */
export interface ServiceColor {
  readonly slot: number;
  readonly hatched: boolean;
}

/** A small, stable hash of a text (FNV-1a, 32 bits). */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The colour a service has where it stands alone, such as in a list of traces. */
export function preferredSlot(service: string): number {
  return hashText(service) % serviceSlots;
}

/**
 * Colours for the services of one trace, decided by the trace alone so that two people see the same:
 * services by descending weight, then name; each takes its preferred slot or the next free one. After ten,
 * slots are used again with a hatch.
 */
export function assignServiceColors(
  services: readonly { readonly name: string; readonly weight: number }[],
): ServiceColor[] {
  const order = services
    .map((service, index) => ({ ...service, index }))
    .sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const colors: ServiceColor[] = services.map(() => ({ slot: 0, hatched: false }));
  let taken = new Set<number>();
  order.forEach((service, position) => {
    if (position % serviceSlots === 0) taken = new Set();
    let slot = preferredSlot(service.name);
    while (taken.has(slot)) slot = (slot + 1) % serviceSlots;
    taken.add(slot);
    colors[service.index] = { slot, hatched: position >= serviceSlots };
  });
  return colors;
}

/** Two letters that stand for a service on its chip: initials of its first two words, else its first letters. */
export function serviceInitials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const [first = '?', second] = words;
  return (second === undefined ? first.slice(0, 2) : first.charAt(0) + second.charAt(0)).toUpperCase();
}

/** Slots for the services of a list, by name: equal lists have equal colours, and neighbours differ. */
export function slotsByName(names: Iterable<string>): ReadonlyMap<string, number> {
  const unique = [...new Set(names)];
  const colors = assignServiceColors(unique.map((name) => ({ name, weight: 0 })));
  return new Map(unique.map((name, index) => [name, colors[index]?.slot ?? 0]));
}
