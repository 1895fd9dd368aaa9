namespace ClipOod.Autodiff;

/// <summary>One ONNX node of a graph: an operator applied to tensors.</summary>
public sealed class Node
{
    internal Node(string operation, Tensor[] inputs, (string Name, object Value)[] attributes) =>
        (Operation, Inputs, Attributes) = (operation, inputs, attributes);

    /// <summary>ONNX's name of the operator, for example "MatMul".</summary>
    public string Operation { get; }

    /// <summary>The tensors it reads.</summary>
    public IReadOnlyList<Tensor> Inputs { get; }

    /// <summary>The tensors it computes.</summary>
    public IReadOnlyList<Tensor> Outputs { get; internal set; } = [];

    internal IReadOnlyList<(string Name, object Value)> Attributes { get; }
}
