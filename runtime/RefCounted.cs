namespace LoRTA.Onnx.Runtime;

/// <summary>Something that several threads use: once its owner has closed it nobody acquires it any more, and it is disposed of when the
/// last of them releases it.</summary>
/// <typeparam name="T">What it is.</typeparam>
/// <param name="make">Makes it.</param>
internal sealed class RefCounted<T>(Func<T> make)
    where T : IDisposable
{
    private readonly Lock _lock = new();
    private int _holders = 1;   // its owner

    public T Value { get; } = make();

    /// <summary>Whether its owner has closed it.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Keeps it open until it is released.</summary>
    /// <returns>False: it is closed.</returns>
    public bool TryAcquire()
    {
        lock (_lock)
        {
            if (!IsClosed) _holders++;
            return !IsClosed;
        }
    }

    public void Release()
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
        Release();
    }
}
