// The class of an error names it.

class HttpError extends Error {
  name = 'HttpError';
  constructor(status) {
    super(`status ${status}`);
  }
}
throw new HttpError(404);
