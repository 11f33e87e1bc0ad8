export const error = (error) => ({ class: error.constructor.name, attempts: error.details.attempts });
