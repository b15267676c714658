import './styles/tokens.css';
import './styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { replaceOldLink } from './app/address.ts';
import { App } from './app/App.tsx';
import { applyTheme, watchSystemTheme } from './app/preferences.ts';

const container = document.getElementById('app');
if (container === null) throw new Error('index.html has no element with the id "app"');
applyTheme();
watchSystemTheme();
replaceOldLink();
createRoot(container).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
