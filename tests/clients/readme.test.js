// The README's TypeScript compiles against the schema, and no longer when one of its cases is gone.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildSchema, getNamedType, isEnumType, isListType, isNonNullType, isScalarType } from 'graphql';

const root = new URL('../../', import.meta.url);
const read = (name) => readFileSync(new URL(name, root), 'utf8');
const snippet = read('README.md').match(/^```ts\n(.*?)^```$/ms)[1];
const tsc = new URL('node_modules/typescript/bin/tsc', import.meta.url).pathname;

/** What a code generator would write for a field. */
function typeScript(type) {
  if (isNonNullType(type)) return typeScript(type.ofType).replace(/ \| null$/, '');
  if (isListType(type)) return `Array<${typeScript(type.ofType)}> | null`;
  if (isEnumType(type)) return `${type.getValues().map((value) => `'${value.name}'`).join(' | ')} | null`;
  if (!isScalarType(type)) return 'object | null';
  return `${{ Int: 'number', Float: 'number', Boolean: 'boolean' }[getNamedType(type).name] ?? 'string'} | null`;
}

const members = buildSchema(read('schema.graphql'))
  .getType('ConnectSocialAccountsError')
  .getTypes()
  .map((member) => {
    const fields = Object.values(member.getFields()).map((field) => `${field.name}: ${typeScript(field.type)}`);
    return `{ __typename: '${member.name}'; ${fields.join('; ')} }`;
  });

function compile(text) {
  const directory = mkdtempSync(join(tmpdir(), 'readme-'));
  const file = join(directory, 'snippet.ts');
  writeFileSync(file, `export type ConnectSocialAccountsError = ${members.join('\n  | ')};\n\nexport ${text}`);
  try {
    return execFileSync(process.execPath, [tsc, '--strict', '--noEmit', file], { encoding: 'utf8' });
  } catch (error) {
    return error.stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('the switch in the README compiles', () => {
  assert.equal(compile(snippet), '');
});

for (const line of snippet.split('\n').filter((one) => one.includes('case '))) {
  const name = line.match(/case '(\w+)'/)[1];
  test(`the switch in the README does not compile without ${name}`, () => {
    assert.match(compile(snippet.replace(`${line}\n`, '')), /TS2366/);
  });
}
