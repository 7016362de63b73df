namespace LoRTA.Onnx.GraphGen;

/// <summary>The token that the work at hand is to stop by: whatever takes long asks it between its pieces, however deep it is
/// called.</summary>
/// <remarks>It goes along with the flow of execution, also into parallel loops. Where nobody set one, nothing stops.</remarks>
public static class StopRequest
{
    private static readonly AsyncLocal<CancellationToken> Current = new();

    /// <summary>The token in force.</summary>
    internal static CancellationToken Token => Current.Value;

    /// <summary>Puts a token in force until the result is disposed; <see cref="CancellationToken.None"/> shields what must be
    /// finished.</summary>
    /// <param name="token">The token.</param>
    public static IDisposable Under(CancellationToken token) => new Scope(token);

    /// <summary>Ends the work at hand where that was asked for.</summary>
    /// <exception cref="OperationCanceledException">It was.</exception>
    internal static void ThrowIfAny() => Current.Value.ThrowIfCancellationRequested();

    /// <summary>The part of the work that a token is in force for.</summary>
    private sealed class Scope : IDisposable
    {
        private readonly CancellationToken _before = Current.Value;

        public Scope(CancellationToken token) => Current.Value = token;

        public void Dispose() => Current.Value = _before;
    }
}
