namespace LoRTA.Onnx.Training.Runs;

/// <summary>Turns of something that one call uses at a time: a call that comes while another has its turn throws, and so do all after the
/// last.</summary>
/// <param name="owner">What has turns, as messages name it.</param>
internal sealed class Turns(Type owner)
{
    private int _isTaken;

    /// <summary>Whether the last turn was taken.</summary>
    public bool AreOver { get; private set; }

    /// <summary>Takes the turn; disposing of it ends it.</summary>
    /// <exception cref="InvalidOperationException">Another call has it.</exception>
    /// <exception cref="ObjectDisposedException">The last one is over.</exception>
    public Turn Take()
    {
        if (Interlocked.Exchange(ref _isTaken, 1) == 1)
            throw new InvalidOperationException($"{owner.Name} is at work in another call: use it from one thread at a time.");
        if (!AreOver) return new Turn(this);
        Volatile.Write(ref _isTaken, 0);
        throw new ObjectDisposedException(owner.Name);
    }

    /// <summary>Takes the last turn.</summary>
    /// <exception cref="InvalidOperationException">Another call has its turn.</exception>
    public void TakeLast()
    {
        using var last = Take();
        AreOver = true;
    }

    /// <summary>A sequence each element of which is made in a turn of its own.</summary>
    public IEnumerable<T> InTurns<T>(IEnumerable<T> items)
    {
        using var each = items.GetEnumerator();
        while (Next()) yield return each.Current;

        bool Next()
        {
            using var turn = Take();
            return each.MoveNext();
        }
    }

    /// <summary>A turn.</summary>
    internal readonly struct Turn(Turns turns) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref turns._isTaken, 0);
    }
}
