import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { FaultRecord } from '../../core/coordinator/record.ts';
import type { Event } from '../../core/model/fault-status.ts';
import type { Table } from './api.ts';

/** Each entry brings a database of the version before it to the next one; never edited, only added to. */
const MIGRATIONS = [
  `CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
   CREATE TABLE faults (
     id TEXT PRIMARY KEY, created REAL NOT NULL, ended INTEGER NOT NULL, run TEXT, record TEXT NOT NULL
   ) STRICT;
   CREATE INDEX faults_open ON faults (ended) WHERE ended = 0;
   CREATE INDEX faults_run ON faults (run) WHERE run IS NOT NULL;
   CREATE TABLE events (id INTEGER PRIMARY KEY, event TEXT NOT NULL) STRICT;
   CREATE TABLE records (
     sort TEXT NOT NULL, id TEXT NOT NULL, put INTEGER NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (sort, id)
   ) STRICT;`,
];

/** Events kept on disk, for clients that resume after a restart. */
const EVENTS_KEPT = 10_000;
/** Events that were not written yet when the last process was killed had ids, too. */
const EVENT_ID_GAP = 10_000;

/**
 * Everything a coordinator must not forget. SQLite in WAL mode with synchronous=FULL: a transaction
 * that has returned survives a power cut.
 */
export class Store {
  readonly #database: DatabaseSync;
  readonly #getFault: StatementSync;
  readonly #putFault: StatementSync;
  readonly #putEvent: StatementSync;
  readonly #putSetting: StatementSync;
  /** Random id of this state: agents keep faults apart by it. */
  readonly owner: string;

  /** @throws Failure `store`: unreadable, locked by another coordinator, or from a newer version. */
  constructor(directory: string) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      this.#database = new DatabaseSync(join(directory, 'coordinator.db'));
      this.#database.exec(
        'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=1000;',
      );
      this.#migrate();
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure('store', `cannot open the state in ${directory}: ${reasonOf(error)}`, {
        definite: true,
        cause: error,
      });
    }
    this.#getFault = this.#database.prepare('SELECT record FROM faults WHERE id = ?');
    this.#putFault = this.#database.prepare(
      `INSERT INTO faults (id, created, ended, run, record) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, record = excluded.record`,
    );
    this.#putEvent = this.#database.prepare('INSERT INTO events (id, event) VALUES (?, ?)');
    this.#putSetting = this.#database.prepare(
      `INSERT INTO settings (name, value) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    );
    this.owner = this.setting('owner') ?? randomUUID();
    this.#putSetting.run('owner', this.owner);
  }

  #migrate(): void {
    const { user_version: version } = this.#database.prepare('PRAGMA user_version').get() as {
      user_version: number;
    };
    if (version > MIGRATIONS.length)
      throw new Failure('store', `the state was written by a newer version (${version})`, {
        definite: true,
      });
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < version) continue;
      this.transaction(() => this.#database.exec(`${sql} PRAGMA user_version=${index + 1}`));
    }
  }

  /** On disk, all or nothing, once it has returned. @throws Failure `store` (a full disk) */
  transaction(write: () => void): void {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      write();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw new Failure('store', `cannot write the state: ${reasonOf(error)}`, {
        definite: true,
        cause: error,
      });
    }
  }

  setting(name: string): string | undefined {
    const row = this.#database.prepare('SELECT value FROM settings WHERE name = ?').get(name);
    return row?.['value'] as string | undefined;
  }

  putSetting(name: string, value: string): void {
    this.#putSetting.run(name, value);
  }

  putFault(record: FaultRecord): void {
    this.#putFault.run(
      record.id,
      record.createdWallMs,
      record.stage === 'ended' ? 1 : 0,
      record.request.run ?? null,
      JSON.stringify(record),
    );
  }

  fault(id: string): FaultRecord | undefined {
    const row = this.#getFault.get(id);
    return row && (JSON.parse(row['record'] as string) as FaultRecord);
  }

  openFaults(): FaultRecord[] {
    return this.#faults('SELECT record FROM faults WHERE ended = 0 ORDER BY created, rowid');
  }

  /** Newest first. @param onlyOpen those that have not ended; of a long run they are few. */
  faults(run: string | undefined, most: number, onlyOpen = false): FaultRecord[] {
    const conditions = [
      ...(run === undefined ? [] : ['run = ?']),
      ...(onlyOpen ? ['ended = 0'] : []),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const sql = `SELECT record FROM faults ${where} ORDER BY created DESC, rowid DESC LIMIT ?`;
    return this.#faults(sql, ...(run === undefined ? [] : [run]), most);
  }

  #faults(sql: string, ...values: (string | number)[]): FaultRecord[] {
    const rows = this.#database.prepare(sql).all(...values);
    return rows.map((row) => JSON.parse(row['record'] as string) as FaultRecord);
  }

  putEvents(events: readonly Event[]): void {
    for (const event of events) this.#putEvent.run(event.id, JSON.stringify(event));
    const last = events.at(-1)?.id ?? 0;
    this.#database.prepare('DELETE FROM events WHERE id <= ?').run(last - EVENTS_KEPT);
  }

  /** What the last process had written, and the id after which new ones may be numbered. */
  events(): { events: Event[]; lastId: number } {
    const rows = this.#database.prepare('SELECT event FROM events ORDER BY id').all();
    const events = rows.map((row) => JSON.parse(row['event'] as string) as Event);
    const last = events.at(-1)?.id;
    return { events, lastId: last === undefined ? 0 : last + EVENT_ID_GAP };
  }

  /** Records of one sort, for the parts of the coordinator that keep their own. */
  table<T>(sort: string): Table<T> {
    const database = this.#database;
    const get = database.prepare('SELECT value FROM records WHERE sort = ? AND id = ?');
    const put = database.prepare(
      `INSERT INTO records (sort, id, put, value)
       VALUES (?, ?, (SELECT coalesce(max(put), 0) + 1 FROM records WHERE sort = ?), ?)
       ON CONFLICT (sort, id) DO UPDATE SET value = excluded.value`,
    );
    const remove = database.prepare('DELETE FROM records WHERE sort = ? AND id = ?');
    const list = database.prepare('SELECT id, value FROM records WHERE sort = ? ORDER BY put DESC');
    return {
      get(id) {
        const row = get.get(sort, id);
        return row && (JSON.parse(row['value'] as string) as T);
      },
      put: (id, value) => this.transaction(() => put.run(sort, id, sort, JSON.stringify(value))),
      delete: (id) => this.transaction(() => remove.run(sort, id)),
      list: () =>
        list.all(sort).map((row) => ({
          id: row['id'] as string,
          value: JSON.parse(row['value'] as string) as T,
        })),
    };
  }

  close(): void {
    this.#database.close();
  }
}
