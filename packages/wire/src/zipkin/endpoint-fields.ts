/** An endpoint while its span is read; -1 and 0 stand for absent parts. */
export class EndpointFields {
  /** Local endpoints: the service name's index in `SpanSink.services`. */
  service = 0;
  /** Remote endpoints: where in the batch's heap the service name is. */
  serviceAt = 0;
  serviceLength = 0;
  ipv4At = 0;
  ipv4Length = 0;
  ipv6At = 0;
  ipv6Length = 0;
  port = 0;

  clear(): void {
    this.service = 0;
    this.serviceLength = 0;
    this.ipv4Length = 0;
    this.ipv6Length = 0;
    this.port = 0;
  }
}
