import type { SessionWorkload } from '../api/session-template.ts';

/** One port, of a container or of a Service. */
export interface Port {
  readonly name: string;
  readonly number: number;
  readonly protocol: 'TCP' | 'UDP';
}

/** What images are known to serve their desktop on (streamspace.md 4.2): the control plane goes to this port without asking. */
const BY_IMAGE: readonly (readonly [string, number])[] = [
  ['linuxserver/', 3000],
  ['kasmweb/', 6901],
  ['guacamole/', 8080],
  ['x2go', 22],
];

/** Ports on which desktops are usually served. */
const USUAL = [3000, 6901, 8080, 5900];
/** The port of everything that says nothing; the Service has it in any case. */
const DEFAULT_PORT = 3000;
/** As the API server wants the name of a port: a letter somewhere, and no two dashes in a row. */
const PORT_NAME = /^(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/;

/** The port on which the desktop is served: what the image is known for, what the template says, a usual port among its ports, or its first. */
export function streamingPort({ image, vnc, ports = [] }: SessionWorkload): number {
  const known = BY_IMAGE.find(([part]) => image.includes(part))?.[1];
  const tcp = ports.filter((port) => port.protocol === 'TCP').map((port) => port.containerPort);
  return known ?? vnc?.port ?? tcp.find((port) => USUAL.includes(port)) ?? tcp[0] ?? DEFAULT_PORT;
}

/** The ports of the container: those of the template, else the one of its desktop. */
export function containerPorts(workload: SessionWorkload): readonly Port[] {
  const { ports = [], vnc } = workload;
  return distinct(ports.length > 0 ? declared(workload) : [tcp('vnc', vnc?.port ?? streamingPort(workload))]);
}

/** The ports of the Service: those of the template, the one of its desktop, and 3000. */
export function servicePorts(workload: SessionWorkload): readonly Port[] {
  const vnc = workload.vnc ? [tcp('vnc', workload.vnc.port)] : [];
  return distinct([...declared(workload), ...vnc, tcp('vnc', streamingPort(workload)), tcp('http', DEFAULT_PORT)]);
}

function declared({ ports = [] }: SessionWorkload): readonly Port[] {
  return ports.map(({ name, containerPort, protocol }) => ({ name, number: containerPort, protocol }));
}

function tcp(name: string, number: number): Port {
  return { name, number, protocol: 'TCP' };
}

/** Each number once per protocol, each under a valid name of its own: the first one keeps the name it has. */
function distinct(ports: readonly Port[]): readonly Port[] {
  const seen = new Set<string>();
  const names = new Set<string>();
  return ports.flatMap((port) => {
    const key = `${port.protocol}/${port.number}`;
    if (seen.has(key)) return [];
    seen.add(key);
    const plain = `${port.protocol === 'TCP' ? 'port' : 'udp'}-${port.number}`;
    const name = [port.name, plain, `${plain}-b`].find((each) => PORT_NAME.test(each) && !names.has(each)) ?? `${plain}-c`;
    names.add(name);
    return [{ ...port, name }];
  });
}
