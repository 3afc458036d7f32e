/** The live view: loaded with the swarm, after consent. */
import './identity-panel.ts'
import './live-view.ts'
