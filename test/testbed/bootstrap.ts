import { rootfs } from './rootfs.ts';
import { tool, tools } from './tools.ts';

for (const name of tools) await tool(name);
await rootfs();
