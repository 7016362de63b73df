namespace LoRTA.Onnx.Runtime;

/// <summary>Something that several threads use: once its owner has closed it nobody takes hold of it any more, and it is disposed of when
/// the last of them lets go.</summary>
/// <typeparam name="T">What it is.</typeparam>
/// <param name="make">Makes it.</param>
internal sealed class Held<T>(Func<T> make)
    where T : IDisposable
{
    private readonly Lock _lock = new();
    private int _holders = 1;   // its owner

    public T Value { get; } = make();

    /// <summary>Whether its owner has closed it.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Takes hold of it.</summary>
    /// <returns>False: it is closed.</returns>
    public bool TryHold()
    {
        lock (_lock)
        {
            if (!IsClosed) _holders++;
            return !IsClosed;
        }
    }

    public void LetGo()
    {
        lock (_lock)
        {
            if (--_holders > 0) return;
        }
        Value.Dispose();
    }

    /// <summary>Closes it, once.</summary>
    public void Close()
    {
        lock (_lock)
        {
            if (IsClosed) return;
            IsClosed = true;
        }
        LetGo();
    }
}
