import { image, imageNames } from './images/images.ts';
import { rootfs } from './rootfs.ts';
import { tool, tools } from './tools.ts';

for (const name of tools) await tool(name);
await rootfs();
for (const name of imageNames) await image(name);
