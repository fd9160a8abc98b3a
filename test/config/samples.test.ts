import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../operator/lib/json.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';

const folder = join(import.meta.dirname, '../../config/samples');
const { namespace } = await tenant('samples');

test.each(readdirSync(folder))('the API server accepts %s as it stands', async (file) => {
  const object = parse(readFileSync(join(folder, file), 'utf8')) as JsonObject & { metadata: JsonObject };
  const here = JSON.stringify({ ...object, metadata: { ...object.metadata, namespace } });
  const { code, stderr } = await controlPlane.kubectl(['create', '--validate=strict', '--filename=-'], { input: here });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
