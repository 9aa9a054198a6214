import { serveStudy } from '@dynaprompt/runner';

import { domain } from '../domain.js';

serveStudy(domain);
