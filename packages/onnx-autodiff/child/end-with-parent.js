// A thread that ends the process as soon as the parent is gone, however it went: standard input is a pipe that only the parent
// holds open. SIGKILL, because the main thread may be computing and would not hear anything milder.
import { Socket } from 'node:net';

const end = () => process.kill(process.pid, 'SIGKILL');
new Socket({ fd: 0, writable: false }).on('error', end).on('close', end).resume();
