import { HttpConnection } from '../client/http-connection.ts';
import { courseRequest, type CourseRide, type Expectation } from './rides.ts';
import type { System } from './system.ts';

const RIDE: CourseRide = { resortId: 1, skierId: 1, liftId: 40, time: 1 };

/**
 * The negative control: makes the system look as if it had lost an acked ride (`lost`: one is expected that was never
 * posted) or invented one (`phantom`: one is posted that nobody expects). A check that passes then proves nothing.
 */
export async function corrupt(how: 'lost' | 'phantom', system: System, expectation: Expectation): Promise<void> {
  const ride = unseen(expectation);
  if (how === 'lost') {
    expectation.noteAck(ride);
    return;
  }
  const connection = new HttpConnection(system.writeUrls[0] as string);
  const request = courseRequest(ride);
  const { status } = await connection.request(request.method, request.path, request);
  connection.close();
  if (status !== 201) throw new Error(`the unseen ride was answered ${status}`);
}

/** A ride at a time that the course never posts. */
function unseen({ bySkier }: Expectation): CourseRide {
  const [skierId = RIDE.skierId] = bySkier.keys();
  return { ...RIDE, skierId, time: 1_000 };
}
