/** Why an exchange was ended by us. */
export class ExchangeStopped extends Error {
  readonly reason: 'silence' | 'deadline' | 'too-large' | 'bad-encoding';

  constructor(reason: ExchangeStopped['reason'], cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}
