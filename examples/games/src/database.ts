import type { Resource } from './features/feature.js';

/** What is used of `node:sqlite` (Node 22.13 and later): the types of Node 20 do not have it. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): { all(...values: unknown[]): unknown[]; get(...values: unknown[]): unknown };
  close(): void;
}

export const database: Resource<Database> = {
  name: 'database',
  open() {
    const { DatabaseSync } = require('node:sqlite') as { DatabaseSync: new (path: string) => Database };
    const db = new DatabaseSync(process.env['DATABASE_FILE'] ?? 'games.db');
    // Several workers share the file.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 2000');
    db.exec('CREATE TABLE IF NOT EXISTS games (id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE)');
    return db;
  },
  check: db => db.prepare('SELECT 1').get(),
  close: db => db.close(),
};
