import { image, imageNames } from './images/images.ts';
import { k3s, testedVersions } from './k3s.ts';
import { COMPILER, rootfs } from './rootfs.ts';
import { tool, tools } from './tools.ts';

for (const name of tools) await tool(name);
await rootfs();
await rootfs(COMPILER);
for (const name of imageNames) await image(name);
for (const version of testedVersions) await k3s(version);
