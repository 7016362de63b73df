namespace LoRTA.Onnx.GraphGen.Artifacts.OrtTraining;

/// <summary>The tables of a checkpoint: for each field its slot, by which FlatBuffers find it.</summary>
internal static class Slots
{
    /// <summary>The bytes 4 … 7 of every checkpoint.</summary>
    public const string Identifier = "ODTC";

    /// <summary>The version of the layout, the only one that the runtime loads.</summary>
    public const int Version = 2;

    /// <summary>The whole file.</summary>
    public static class Checkpoint
    {
        public const int Version = 0;
        public const int Module = 1;
        public const int Groups = 2;
        public const int Properties = 3;
        public const int Count = 4;
    }

    /// <summary>The parameters.</summary>
    public static class Module
    {
        public const int Trained = 0;
        public const int Frozen = 1;
        public const int IsNominal = 2;
        public const int HasExternalData = 3;
        public const int Count = 4;
    }

    /// <summary>What one optimizer keeps.</summary>
    public static class Group
    {
        public const int Name = 0;
        public const int Step = 1;
        public const int InitialLearningRate = 2;
        public const int States = 3;
        public const int Count = 4;
    }

    /// <summary>What it keeps for one parameter.</summary>
    public static class State
    {
        public const int Parameter = 0;
        public const int Moments = 1;
        public const int Count = 2;
    }

    /// <summary>Notes: three lists of <see cref="Property"/>.</summary>
    public static class Properties
    {
        public const int Integers = 0;
        public const int Floats = 1;
        public const int Texts = 2;
        public const int Count = 3;
    }

    /// <summary>A note; its value is an int64, a float or a text.</summary>
    public static class Property
    {
        public const int Name = 0;
        public const int Value = 1;
        public const int Count = 2;
    }

    /// <summary>A tensor, as in the runtime's own model format; slot 1 holds documentation, slot 5 text.</summary>
    public static class Tensor
    {
        public const int Name = 0;
        public const int Dims = 2;
        public const int Type = 3;
        public const int Bytes = 4;
        public const int ExternalOffset = 6;
        public const int Count = 7;
        public const long NotExternal = -1;
    }
}
