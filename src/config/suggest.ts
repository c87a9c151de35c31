/** The known word closest to a mistyped one, or undefined: "did you mean". */
export { closest, closest as suggest, closestAll } from '../core/suggest.ts';
