export const before = (event) => ({ trail: [...event.trail, "third.before"] });

export const after = (response) => ({ trail: [...response.trail, "third.after"] });
