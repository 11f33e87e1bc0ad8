export const before = (event) => ({ trail: [...event.trail, "inner.before"] });

export const after = (response) => ({ trail: [...response.trail, "inner.after"] });
