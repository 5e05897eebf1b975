import { importImages } from '../images/import.ts';

await importImages(process.argv.slice(2));
