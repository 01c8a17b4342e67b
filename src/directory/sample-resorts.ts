import type { Lift, ResortRow } from './snapshot.ts';

interface Sample {
  name: string;
  timeZone: string;
  opensAt: string;
  closesAt: string;
  /** MM-DD */
  seasonStartsOn: string;
  /** eight places on the mountain and five kinds of lift make forty names */
  places: string[];
  kinds: string[];
}

const SEASONS = [2024, 2025, 2026];
const METRES_PER_LIFT_ID = 10;

const GERMAN = ['Gondelbahn', 'Sesselbahn', 'Schlepplift', '6er', 'Express'];
const FRENCH = ['Télécabine', 'Télésiège', 'Téléski', 'Express', 'Funitel'];
const ITALIAN = ['Cabinovia', 'Seggiovia', 'Skilift', 'Funivia', 'Express'];
const NORWEGIAN = ['Gondol', 'Stolheis', 'Skitrekk', 'Ekspress', 'Familieheis'];
const ENGLISH = ['Gondola', 'Quad', 'Six', 'T-Bar', 'Express'];
const JAPANESE = ['Gondola', 'Quad', 'Pair Lift', 'Romance Lift', 'Ropeway'];
const SPANISH = ['Góndola', 'Telesilla', 'Telesquí', 'Silla Doble', 'Exprés'];

const SAMPLES: Sample[] = [
  {
    name: 'Sonnkogel Arena',
    timeZone: 'Europe/Vienna',
    opensAt: '08:30',
    closesAt: '16:30',
    seasonStartsOn: '11-01',
    places: ['Hochalm', 'Sonnkogel', 'Rotmoos', 'Gamskar', 'Brandeck', 'Schattwald', 'Steinboden', 'Kaserer'],
    kinds: GERMAN,
  },
  {
    name: 'Val Ferrand',
    timeZone: 'Europe/Paris',
    opensAt: '08:45',
    closesAt: '17:00',
    seasonStartsOn: '11-01',
    places: [
      'Combe Noire',
      'Grand Cerf',
      'Les Arpettes',
      'Plan Rey',
      'Roc Blanc',
      'La Sauce',
      'Mont Julien',
      'Chalmieu',
    ],
    kinds: FRENCH,
  },
  {
    name: 'Piz Alvra',
    timeZone: 'Europe/Zurich',
    opensAt: '08:00',
    closesAt: '16:30',
    seasonStartsOn: '11-01',
    places: ['Alp Sura', 'Plaun', 'Corvagl', 'Crap Grond', 'Munt Clavau', 'Fuorcla', 'Val Tiefa', 'Lai Nair'],
    kinds: GERMAN,
  },
  {
    name: 'Monte Serada',
    timeZone: 'Europe/Rome',
    opensAt: '08:30',
    closesAt: '16:45',
    seasonStartsOn: '11-01',
    places: [
      'Passo Lana',
      'Cima Alta',
      'Pian Cavallo',
      'Col Rosso',
      'Sella Nuova',
      'Malga Fosca',
      'Prà Longo',
      'Belvedere',
    ],
    kinds: ITALIAN,
  },
  {
    name: 'Storhogna Fjell',
    timeZone: 'Europe/Oslo',
    opensAt: '09:00',
    closesAt: '20:00',
    seasonStartsOn: '11-01',
    places: ['Storhø', 'Nordlia', 'Kvitskard', 'Bjørnås', 'Fagerhaugen', 'Skarven', 'Lauvåsen', 'Tverrfjell'],
    kinds: NORWEGIAN,
  },
  {
    name: 'Granite Basin',
    timeZone: 'America/Denver',
    opensAt: '08:30',
    closesAt: '16:00',
    seasonStartsOn: '10-15',
    places: [
      'Prospector',
      'Silver Lode',
      'Timberline',
      'Lost Miner',
      'Eagle Bowl',
      'Columbine',
      'Powderhorn',
      'Aspen Glade',
    ],
    kinds: ENGLISH,
  },
  {
    name: 'Mount Caldwell',
    timeZone: 'America/Vancouver',
    opensAt: '08:30',
    closesAt: '21:00',
    seasonStartsOn: '11-01',
    places: ['Raven Ridge', 'Cedar Creek', 'Glacier', 'Sentinel', 'Whiskeyjack', 'Harmony', 'Outback', 'Peak'],
    kinds: ENGLISH,
  },
  {
    name: 'Shirakumo Kogen',
    timeZone: 'Asia/Tokyo',
    opensAt: '08:30',
    closesAt: '20:30',
    seasonStartsOn: '11-15',
    places: ['Kazahaya', 'Kitadaira', 'Minami', 'Shirakaba', 'Tengu', 'Yukimi', 'Kumoi', 'Takamine'],
    kinds: JAPANESE,
  },
  {
    name: 'Tarawhata Peaks',
    timeZone: 'Pacific/Auckland',
    opensAt: '08:45',
    closesAt: '16:00',
    seasonStartsOn: '05-15',
    places: ['Hawk Saddle', 'Kea Basin', 'Shadow', 'Sugar Bowl', 'Tussock', 'Curvey', 'Northstar', 'Homeward'],
    kinds: ENGLISH,
  },
  {
    name: 'Cerro Lautaro',
    timeZone: 'America/Santiago',
    opensAt: '09:00',
    closesAt: '17:00',
    seasonStartsOn: '05-15',
    places: ['Cóndor', 'Laguna', 'El Mirador', 'Las Vizcachas', 'Portezuelo', 'Tres Puntas', 'La Cornisa', 'Valle Sur'],
    kinds: SPANISH,
  },
];

/**
 * The ten resorts of a fresh start, 1 to 10, with the lifts 1 to 40 each (vertical = liftId × 10 m): what SkiDataAPI's
 * load clients post to. Invented, but in real time zones of both hemispheres.
 */
export function sampleResorts(): ResortRow[] {
  return SAMPLES.map(({ places, kinds, ...resort }, i) => ({
    resortId: i + 1,
    ...resort,
    seasons: SEASONS.map((season) => ({ season, startsOn: `${season}-${resort.seasonStartsOn}` })),
    lifts: sampleLifts(places, kinds),
  }));
}

function sampleLifts(places: string[], kinds: string[]): Lift[] {
  const names = kinds.flatMap((kind) => places.map((place) => `${place} ${kind}`));
  return names.map((name, i) => ({ liftId: i + 1, name, verticalM: (i + 1) * METRES_PER_LIFT_ID }));
}
