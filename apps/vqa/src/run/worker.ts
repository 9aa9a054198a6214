import { serveComparison } from '@dynaprompt/runner';

import { domain } from '../domain.js';

serveComparison(domain);
