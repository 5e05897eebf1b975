/** Of package.json's engines, of which npm only warns; older ones lack what this program calls. */
const OLDEST = 24;

// When this is imported, which is before what cannot even be imported there.
if (Number(process.versions.node.split('.')[0]) < OLDEST) {
  console.error(
    `Failed to run k3s-in-gvisor: it needs Node ${OLDEST} or later, and this is ${process.versions.node}; https://nodejs.org has it`,
  );
  process.exit(2);
}
