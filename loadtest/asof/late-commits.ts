import { Client } from 'pg';

type Nodes = readonly { url: string }[];

/** A deferred trigger runs at the very COMMIT: all of the write is done, its transaction has its number, and nobody sees it. */
const INSTALL = `
  CREATE TABLE late_commits (most_s float8 NOT NULL);
  INSERT INTO late_commits VALUES (0);
  CREATE FUNCTION commit_late() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_sleep(random() * most_s) FROM late_commits WHERE most_s > 0;
    RETURN NULL;
  END $$;
  CREATE CONSTRAINT TRIGGER commit_late AFTER INSERT ON changes DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION commit_late();`;

/** Makes writes able to commit late; they don't yet. */
export function installLateCommits(nodes: Nodes): Promise<void> {
  return onEach(nodes, (client) => client.query(INSTALL));
}

/** From now on each write of these nodes commits so much later at most; 0 ends it. */
export function commitLate(nodes: Nodes, mostMs: number): Promise<void> {
  return onEach(nodes, (client) => client.query('UPDATE late_commits SET most_s = $1', [mostMs / 1_000]));
}

async function onEach(nodes: Nodes, act: (client: Client) => Promise<unknown>): Promise<void> {
  for (const { url } of nodes) {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await act(client);
    } finally {
      await client.end();
    }
  }
}
