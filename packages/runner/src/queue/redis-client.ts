import { type Command, Redis, type RedisOptions } from 'ioredis';

/** Milliseconds for one attempt to connect and log in. */
const connectTimeout = 5_000;
/** Milliseconds after which a server that takes commands and answers none counts as lost. */
const silence = 10_000;

/** What commands are told that a client has given up, in the words of ioredis. */
export const closedMessage = 'Connection is closed.';

/**
 * A client of ioredis, as is every duplicate that BullMQ makes of it, that does not wait for a server which takes connections and says
 * nothing, and whose end is one: it does not stay between two attempts for ever, and leaves no command without an answer.
 */
export class RedisClient extends Redis {
  private readonly unanswered = new Set<Command>();

  /** @param heard is told of the errors of the client and of its duplicates. */
  constructor(
    options: RedisOptions,
    private readonly heard: (error: unknown) => void = () => undefined,
  ) {
    super({
      ...options,
      connectTimeout,
      disconnectTimeout: 100,
      keepAlive: silence,
      // What BullMQ asks for: a command waits until the client gives up, not for a number of attempts.
      maxRetriesPerRequest: null,
      maxLoadingRetryTime: 200,
      disableClientInfo: true,
    });
    this.on('error', heard);
    this.limitHandshake();
    // What was on the way when the connection was lost for good.
    this.on('end', () => {
      for (const command of this.unanswered) command.reject(new Error(closedMessage));
    });
  }

  override duplicate(override?: Partial<RedisOptions>): RedisClient {
    return new RedisClient({ ...this.options, ...override }, this.heard);
  }

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    const answered = (): void => {
      this.unanswered.delete(command);
    };
    this.unanswered.add(command);
    command.promise.then(answered, answered);
    return super.sendCommand(command, stream);
  }

  override disconnect(reconnect = false): void {
    // Between two attempts there is no socket whose close would end the client: one is begun, and broken off.
    if (!reconnect && this.status === 'reconnecting') this.connect().catch(() => undefined);
    super.disconnect(reconnect);
  }

  /** Asks for signs of life from now on; not for connections that wait for a job, which get no other answer meanwhile. */
  askForLife(every = silence): void {
    let timer: NodeJS.Timeout | undefined;
    const start = (): void => {
      let answered = true;
      const ask = (): void => {
        if (this.status !== 'ready') return;
        if (!answered) {
          this.breakOff(every);
          return;
        }
        answered = false;
        this.ping().then(
          () => (answered = true),
          () => undefined,
        );
      };
      clearInterval(timer);
      // Answers that came while this process was busy are read first.
      timer = setInterval(() => setImmediate(ask), every).unref();
    };
    if (this.status === 'ready') start();
    this.on('ready', start);
    this.on('close', () => {
      clearInterval(timer);
    });
  }

  private limitHandshake(): void {
    let timer: NodeJS.Timeout | undefined;
    this.on('connect', () => {
      timer = setTimeout(() => {
        this.breakOff(connectTimeout);
      }, connectTimeout);
    });
    for (const event of ['ready', 'close', 'end']) {
      this.on(event, () => {
        clearTimeout(timer);
      });
    }
  }

  private breakOff(after: number): void {
    this.silentEmit('error', new Error(`no answer within ${after / 1000} s`));
    this.disconnect(true);
  }
}
