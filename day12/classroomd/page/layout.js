// Where everything of the picture stands: plain numbers, no drawing. 16 units are 1 em.
//
// On the left are the clients, in the middle the kernel with its sockets and pipes, on the right the processes. A process comes
// after its parent and is joined to it at the right edge. What belongs to a process stands beside it, one thing in each slot.
export const WIDTH = 400;
const TOP = 24;                           // under the heads of the columns
const ROOMY = { box: 44, gap: 8 };          // a process with one thread
const DENSE = { box: 28, gap: 4 };          // the same, if there are many
const MANY = 6;
const SLOT = { pipe: 15, other: 26 };
const WAVES = 20;                         // a row of more threads
const CLIENTS = 30;
const KERNEL = [74, 112];                 // its left edge and its width
const SOCKET = 92;
export const CELL = 160;                  // the numbers of what epoll watches
const PROCESSES = 204;
const INDENT = 12;

// system: an answer of the API; clients: those of the classroom, or [].
// Returns {height, kernel, boxes, things, queue}: boxes {process, depth, dense, x, y, width, height},
// things {key, kind, y, owners: [{pid, fd, end, watched}], peer, ...}.
export function arrange(system, clients) {
  const { processes } = system;
  const things = collect(processes);
  const held = new Set(processes.flatMap((process) => process.sockets.map((socket) => socket.client)));
  const queue = clients.filter(({ client, state }) => (state === "open" || state === "waiting") && !held.has(client));
  const kernel = things.size + queue.length > 0;
  const left = kernel ? PROCESSES : 4;
  const dense = processes.length > MANY;
  const { box, gap } = dense ? DENSE : ROOMY;
  const boxes = [];
  let y = kernel ? TOP : 4;

  for (const { process, depth } of inOrder(processes)) {
    const own = [...things.values()].filter((thing) => thing.first === process.pid);
    const rows = process.threads.length > 1 ? Math.ceil(process.threads.length / threadsInRow(kernel, depth)) : 0;
    const needed = own.reduce((sum, thing) => sum + slot(thing), 0);
    const height = Math.max(box + rows * WAVES, needed);
    own.reduce((top, thing) => {
      thing.y = top + slot(thing) / 2;
      return top + slot(thing);
    }, y + (height - needed) / 2);
    boxes.push({ process, depth, dense, x: left, y, height, width: (kernel ? WIDTH : 300) - left - 4 - depth * INDENT });
    y += height + gap;
  }
  queue.forEach((client, i) => { client.y = y + (i + 0.5) * SLOT.other; });
  const height = Math.max(y + queue.length * SLOT.other, 60) + 4;
  return { height, kernel: kernel && KERNEL, boxes, things: [...things.values()], queue, clients: CLIENTS, socket: SOCKET };
}

function slot({ kind }) {
  return SLOT[kind] ?? SLOT.other;
}

export function threadsInRow(kernel, depth) {
  return Math.floor(((kernel ? WIDTH - PROCESSES : 296) - 24 - depth * INDENT) / 21);
}

// Parents before their children, with the depth in the tree.
function* inOrder(processes, parent = null, depth = 0) {
  for (const process of processes.filter((one) => one.parent === parent)) {
    yield { process, depth };
    yield* inOrder(processes, process.pid, depth + 1);
  }
}

// All sockets and pipes, once each, with the processes that hold them: {key, kind, owners: [{pid, fd, end}], first, ...}.
function collect(processes) {
  const things = new Map();
  for (const process of processes) {
    const watched = new Set(process.epolls.flatMap(({ watches }) => watches));
    for (const thing of [...process.sockets.sort(inOrderOfClients), ...process.pipes.map((pipe) => ({ kind: "pipe", ...pipe }))]) {
      const known = things.get(thing.inode) ?? { ...thing, key: `${thing.kind}${thing.inode}`, first: process.pid, owners: [] };
      known.owners.push({ pid: process.pid, fd: thing.fd, end: thing.end, watched: watched.has(thing.fd) });
      things.set(thing.inode, known);
    }
  }
  const byAddress = new Map([...things.values()].map((thing) => [thing.local, thing]));
  for (const thing of things.values()) {
    thing.peer = thing.kind === "tcp" && byAddress.get(thing.remote)?.remote === thing.local ? byAddress.get(thing.remote) : null;
  }
  return things;
}

function inOrderOfClients(one, other) {
  return (one.client ?? 0) - (other.client ?? 0) || one.fd - other.fd;
}
