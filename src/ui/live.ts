/** The elements of the live view: loaded with the swarm, after consent. */
import './hire-panel.ts'
import './learned-panel.ts'
import './node-panel.ts'
import './own-panel.ts'
import './peer-table.ts'
import './serve-panel.ts'
