// Computes the places of all parts of the picture, but draws nothing. 16 units are 1 em.
//
// The clients are on the left, the kernel with its sockets and pipes in the middle, and the processes on the right. A process
// is below its parent, and a line at the right edge joins them. The sockets and pipes of a process are to the left of the process.
export const WIDTH = 400;                 // the width of the picture
const TOP = 24;                           // the top of the first process, below the heads of the columns
const ROOMY = { box: 44, gap: 8 };        // the height of a process with one thread, and the gap below it
const DENSE = { box: 28, gap: 4 };        // the height and the gap if there are more than MANY processes
const MANY = 6;
const SLOT = { pipe: 15, other: 26 };     // the height of a pipe, and of a socket
const WAVES = 20;                         // the height of a row of threads
const CLIENTS = 30;                       // the x of the clients
const KERNEL = [74, 112];                 // the left edge of the kernel, and its width
const SOCKET = 92;                        // the x of the sockets and pipes
export const CELL = 160;                  // the x of the descriptors' numbers
const PROCESSES = 204;                    // the left edge of the processes
const INDENT = 12;                        // how much narrower a child is than its parent

// system: an answer of the API. clients: the classroom's clients, or [].
// Returns {height, kernel, boxes, things, queue, clients, socket}. boxes: {process, depth, dense, x, y, width, height} for each process.
// things: {key, kind, y, owners: [{pid, fd, end, watched}], peer, ...} for each socket and pipe. queue: the clients not yet accepted.
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

// Yields each process before its children, with its depth in the tree.
function* inOrder(processes, parent = null, depth = 0) {
  for (const process of processes.filter((one) => one.parent === parent)) {
    yield { process, depth };
    yield* inOrder(processes, process.pid, depth + 1);
  }
}

// Returns each socket and pipe once, with the processes that hold it: inode -> {key, kind, owners: [{pid, fd, end, watched}], first, peer, ...}.
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
