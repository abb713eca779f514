/** Documents leave out what is at its default: absent, or null where a patch says so. */

/** Is there a value? Narrows its type. */
export const given = <T>(value: T | null | undefined): value is T => value !== undefined && value !== null;
