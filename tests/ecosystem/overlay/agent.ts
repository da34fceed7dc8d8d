/** What an entry imports first to be traced without an option of Node; it becomes `src/ecosystem/agent.ts`. */
const { ECO_REQUIRED: agent = '' } = process.env;
if (agent !== '') require(agent);
