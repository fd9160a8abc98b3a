import { spawn } from 'node:child_process';

/** Ends processes and removes a folder as soon as this process is gone, however it went: close, crash, Ctrl-C or SIGKILL. */
export interface Reaper {
  /** Puts a process under its care. */
  add(pid: number): void;
  /** Takes a process that has exited out of its care, because the system may give its number to another one. */
  forget(pid: number): void;
  /** Kills all that is left, removes the folder and resolves when both are done. */
  close(): Promise<void>;
}

// A shell, because it is on every machine and costs one megabyte. It reads `+ pid` and `- pid` lines until its standard input ends, which the
// system sees to when the writer dies. A process may still write while it is killed, so the removal is tried more than once.
const script = `
trap '' HUP INT TERM
pids=' '
while read -r change pid; do
  case $change in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
for pid in $pids; do kill -9 "$pid"; done
tries=0
while [ -e "$1" ] && [ $tries -lt 100 ]; do
  rm -rf "$1"
  tries=$((tries + 1))
  [ ! -e "$1" ] || sleep 0.1
done
`;

/** Starts the reaper of the given folder; it runs in its own session, so that a Ctrl-C in the terminal does not reach it. */
export function startReaper(folder: string): Reaper {
  const shell = spawn('/bin/sh', ['-c', script, 'control-plane-reaper', folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const gone = new Promise<void>((resolve) => {
    shell.once('error', () => resolve());
    shell.once('exit', () => resolve());
  });
  // It can only fail when the reaper was killed, and then there is nobody left to tell.
  shell.stdin.on('error', () => {});
  shell.unref();
  return {
    add: (pid) => void shell.stdin.write(`+ ${pid}\n`),
    forget: (pid) => void shell.stdin.write(`- ${pid}\n`),
    close: () => {
      shell.stdin.end();
      shell.ref();
      return gone;
    },
  };
}
