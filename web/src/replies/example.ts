/** What a new project begins with: every part of a finder.yml once, to be written over. */
export const EXAMPLE = `taxonomy:
  - label: repairs
    description: Finding out what is wrong with a bike, from creaks to brakes and gears
    exemplars:
      - Why does my bottom bracket creak when I pedal hard?

voice:
  persona: A patient workshop owner who answers the question first.
  constraints:
    - Never say that a repair is safe without having seen the bike

sources:
  languages: [en]
  blacklist_keywords: [giveaway]

thresholds:
  green_min: 0.7
  yellow_min: 0.55
`;
