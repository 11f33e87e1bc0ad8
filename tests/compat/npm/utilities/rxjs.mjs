// rxjs: streams combined, delayed, shared, failing
import {
  Subject,
  bufferCount,
  catchError,
  debounceTime,
  firstValueFrom,
  from,
  interval,
  lastValueFrom,
  map,
  mergeMap,
  of,
  retry,
  take,
  throwError,
  timer,
  toArray,
  zip,
} from "rxjs";

export const handler = async () => {
  const subject = new Subject();
  const debounced = firstValueFrom(subject.pipe(debounceTime(5)));
  for (const n of [1, 2, 3]) subject.next(n);
  let tries = 0;
  return [
    await lastValueFrom(interval(2).pipe(take(4), bufferCount(2), toArray())),
    await debounced,
    await lastValueFrom(
      from([1, 2]).pipe(
        mergeMap((n) => timer(5).pipe(map(() => n * 2))),
        toArray(),
      ),
    ),
    await firstValueFrom(throwError(() => new Error("no")).pipe(catchError((error) => of(error.message)))),
    await lastValueFrom(
      of(0).pipe(
        map(() => {
          if (++tries < 3) throw new Error("again");
          return tries;
        }),
        retry(5),
      ),
    ),
    await lastValueFrom(zip(of(1, 2), of("a", "b")).pipe(toArray())),
  ];
};
