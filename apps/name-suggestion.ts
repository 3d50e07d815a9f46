import { randomInt } from 'node:crypto'

const ADJECTIVES = [
  'Able', 'Amber', 'Ancient', 'Autumn', 'Bold', 'Brave', 'Bright', 'Calm', 'Clever', 'Cosmic', 'Crimson', 'Curious',
  'Dapper', 'Daring', 'Divine', 'Eager', 'Early', 'Electric', 'Emerald', 'Fearless', 'Gentle', 'Golden', 'Graceful',
  'Grand', 'Happy', 'Hidden', 'Humble', 'Icy', 'Jolly', 'Keen', 'Kind', 'Lively', 'Lucky', 'Lunar', 'Mellow', 'Mighty',
  'Misty', 'Modern', 'Nimble', 'Noble', 'Patient', 'Polished', 'Proud', 'Quiet', 'Rapid', 'Royal', 'Rustic', 'Scarlet',
  'Silent', 'Silver', 'Snowy', 'Solar', 'Spring', 'Steady', 'Sunny', 'Swift', 'Tidy', 'Violet', 'Vivid', 'Warm', 'Wise',
  'Young'
] as const

const NOUNS = [
  'Anchor', 'Arrow', 'Bakery', 'Beacon', 'Bird', 'Breeze', 'Bridge', 'Brook', 'Canyon', 'Castle', 'Cedar', 'Cloud',
  'Comet', 'Compass', 'Coral', 'Creek', 'Dawn', 'Desert', 'Ember', 'Falcon', 'Field', 'Forest', 'Fox', 'Garden',
  'Glacier', 'Harbor', 'Hill', 'Island', 'Lake', 'Lantern', 'Leaf', 'Maple', 'Meadow', 'Mill', 'Moon', 'Mountain',
  'Ocean', 'Orchard', 'Otter', 'Owl', 'Paper', 'Pebble', 'Person', 'Pine', 'Planet', 'Pond', 'Prairie', 'Rain', 'River',
  'Rocket', 'Shadow', 'Signal', 'Sky', 'Spark', 'Star', 'Stone', 'Storm', 'Summit', 'Thunder', 'Tiger', 'Valley', 'Wave',
  'Wind', 'Workshop'
] as const

/** A friendly name for an app, such as `Divine Person`: an adjective and a noun, both capitalised. */
export const suggestName = (): string => `${pick(ADJECTIVES)} ${pick(NOUNS)}`

const pick = (words: readonly string[]): string => words[randomInt(words.length)]
