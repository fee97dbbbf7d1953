import { close, fdatasync, fstat, write } from "node:fs";

/** An open file that is only appended to. Each method rejects with the system's error. */
export interface AppendFile {
  /** Settles when all bytes were taken by the system. */
  write(bytes: Buffer): Promise<void>;
  /** Settles when they are on the disk. */
  sync(): Promise<void>;
  /** Whether it still has a name and exactly so many bytes. */
  isWhole(bytes: number): Promise<boolean>;
  close(): Promise<void>;
}

/** The file of a descriptor that was opened for appending. */
export function appendFile(fd: number): AppendFile {
  return {
    write: (bytes) =>
      new Promise((settle, fail) => {
        const next = (from: number) => {
          write(fd, bytes, from, bytes.length - from, null, (error, count) => {
            if (error !== null) fail(error);
            else if (from + count < bytes.length) next(from + count);
            else settle();
          });
        };
        next(0);
      }),
    sync: () =>
      new Promise((settle, fail) => {
        fdatasync(fd, (error) => (error === null ? settle() : fail(error)));
      }),
    isWhole: (bytes) =>
      new Promise((settle, fail) => {
        fstat(fd, (error, stats) => {
          if (error !== null) fail(error);
          else settle(stats.nlink > 0 && stats.size === bytes);
        });
      }),
    close: () =>
      new Promise((settle, fail) => {
        close(fd, (error) => (error == null ? settle() : fail(error)));
      }),
  };
}
