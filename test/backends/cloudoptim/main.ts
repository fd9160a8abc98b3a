import { parseArgs } from 'node:util';
import { control } from './control.ts';
import { type CloudOptimBackend, startCloudOptimBackend } from './server.ts';

const help = `A CloudOptim backend to play with: hands out tasks, records what the operator says.

Usage: node test/backends/cloudoptim/main.ts [--port 0] [--key KEY] [--cluster cluster-123] [--shape array|tasks]

Then, with the URL it prints:
  curl -d '{"task_id":"t1","task_type":"cordon_node","parameters":{"node_name":"worker-1"}}' URL/tasks         by poll
  curl -d '{"task_id":"t2","task_type":"cordon_node","parameters":{"node_name":"worker-1"}}' URL/tasks/push    over the socket
  curl URL/heard                                                                                               what it heard
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      port: { type: 'string', default: '0' },
      key: { type: 'string' },
      cluster: { type: 'string', default: 'cluster-123' },
      shape: { type: 'string', default: 'array' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('--port must be a number from 0 (any free one) to 65535');
  const backend: CloudOptimBackend = await startCloudOptimBackend({
    port,
    clusterID: values.cluster,
    listShape: values.shape === 'tasks' ? 'tasks' : 'array',
    control: (method, path, body) =>
      control(
        () => backend,
        (task, by) => (by === 'poll' ? backend.addTask(task) : backend.pushTask(task)),
        method,
        path,
        body,
      ),
    ...(values.key === undefined ? {} : { key: values.key }),
  });
  process.stdout.write(`CENTRAL_SERVER_URL=${backend.url}\nCENTRAL_API_KEY=${backend.key}\nCLUSTER_ID=${backend.clusterID}\n`);
  process.once('SIGINT', () => void backend.close());
  process.once('SIGTERM', () => void backend.close());
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
