import { Component } from 'react';
import type { ReactNode } from 'react';
import { ErrorState } from './states.tsx';

interface Props {
  /** When it changes, the part is tried again: normally the address. */
  readonly resetKey: string;
  readonly children: ReactNode;
}

/** Keeps a fault in one part of the page from taking the rest with it. */
export class ErrorBoundary extends Component<Props, { readonly error: unknown; readonly failed: boolean }> {
  override state: { readonly error: unknown; readonly failed: boolean } = { error: undefined, failed: false };

  static getDerivedStateFromError(error: unknown): { readonly error: unknown; readonly failed: boolean } {
    return { error, failed: true };
  }

  override componentDidUpdate(before: Props): void {
    if (this.state.failed && before.resetKey !== this.props.resetKey)
      this.setState({ error: undefined, failed: false });
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <ErrorState
        wholePage
        title="This part of the page failed"
        error={this.state.error}
        onRetry={() => this.setState({ error: undefined, failed: false })}
      />
    );
  }
}
