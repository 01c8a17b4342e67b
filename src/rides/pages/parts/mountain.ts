/** Mountains that people know, and their heights above the sea in metres, lowest first. */
const MOUNTAINS = [
  { name: 'the Eiffel Tower', heightM: 330 },
  { name: 'Ben Nevis', heightM: 1_345 },
  { name: 'Mount Fuji', heightM: 3_776 },
  { name: 'the Matterhorn', heightM: 4_478 },
  { name: 'Mont Blanc', heightM: 4_806 },
  { name: 'Mount Everest', heightM: 8_849 },
];
/** From here on "ten times" says less than the number itself. */
const MANY = 100;

/**
 * @param number writes a number as the visitor reads it
 * @returns a sentence that sets a height beside a mountain's, or undefined below all of them
 */
export function besideMountain(verticalM: number, number: (value: number) => string): string | undefined {
  const highest = MOUNTAINS.findLast(({ heightM }) => heightM <= verticalM);
  if (!highest) return undefined;
  const times = Math.floor(verticalM / highest.heightM);
  if (times === 1) return `Higher than ${highest.name}.`;
  if (times === 2) return `More than twice the height of ${highest.name}.`;
  return times >= MANY
    ? `${number(times)} times ${highest.name}.`
    : `More than ${number(times)} times the height of ${highest.name}.`;
}
