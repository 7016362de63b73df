namespace LoRTA.Onnx.Training.Recipes;

/// <summary>Where a run lies or computes: no part of what it computes, so a resumed run may differ in it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OutsideIdentityAttribute : Attribute;
