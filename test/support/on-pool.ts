import { Pool } from 'pg';

/** Asks a database on a pool that is gone afterwards, so that it can be dropped. */
export async function onPool<T>(url: string, ask: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = new Pool({ connectionString: url, max: 2 });
  try {
    return await ask(pool);
  } finally {
    await pool.end();
  }
}

/** @returns the first column of the first row, a number */
export async function numberOf(url: string, text: string): Promise<number> {
  return onPool(url, async (pool) => {
    const { rows } = await pool.query<[number]>({ text, rowMode: 'array' });
    return Number(rows[0]?.[0]);
  });
}
