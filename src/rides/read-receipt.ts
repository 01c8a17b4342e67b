import { Problem } from '../domain/problem.ts';
import { decodeReceipt, type Receipt } from '../domain/receipt.ts';

/** @throws Problem `malformed` for what no ack has given */
export function readReceipt(text: string): Receipt {
  const receipt = decodeReceipt(text);
  if (!receipt) throw new Problem('malformed', 'this is no receipt');
  return receipt;
}
