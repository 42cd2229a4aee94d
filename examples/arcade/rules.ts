/**
 * What the game gives away, and how much of it: whichever copy does it, and through whichever door it was asked for. The
 * environment file hands these to Holdfast, which counts; without Holdfast each copy counts for itself.
 */
export const rules = {
  // By HTTP and by WebSocket alike, since what annoys is the message.
  'chat.message': ['12/min per user burst 4', '600/min'],

  // No mailbox is flooded, nobody floods, and the provider's quota for a day ends when the provider says.
  'mail.send': [
    '60/hour per recipient burst 30',
    '30/hour per user burst 10',
    '5000/day resets 00:00 Europe/Vienna',
  ],

  // Slow: bounded by how many are made at once.
  'export.run': ['2 at once per user', '40 at once'],
}
