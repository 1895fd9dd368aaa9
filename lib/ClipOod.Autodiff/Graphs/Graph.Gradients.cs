namespace ClipOod.Autodiff;

/// <content>Reverse-mode differentiation.</content>
public sealed partial class Graph
{
    /// <summary>
    /// Adds the nodes that compute the gradient of a scalar with respect to tensors of the graph, by reverse-mode
    /// differentiation. Only what lies between the two gets backward nodes. The gradients are tensors of the graph
    /// themselves and can be differentiated again.
    /// </summary>
    /// <param name="loss">The scalar.</param>
    /// <param name="withRespectTo">Weights, inputs or any other tensors that the loss depends on.</param>
    /// <returns>A gradient for each, of its shape.</returns>
    /// <exception cref="ArgumentException">
    /// The loss is no scalar of a real type, or does not depend on one of the tensors through differentiable operators.
    /// </exception>
    public IReadOnlyList<Tensor> Gradients(Tensor loss, params IReadOnlyList<Tensor> withRespectTo)
    {
        ArgumentNullException.ThrowIfNull(loss);
        ArgumentNullException.ThrowIfNull(withRespectTo);
        RequireMine(loss, nameof(loss));
        if (loss.Rank != 0 || !loss.Type.IsReal())
        {
            throw new ArgumentException($"Gradients: the loss is {loss}, expected a scalar. Reduce it with Mean or Sum first.", nameof(loss));
        }

        List<Derivation> path = PathTo(loss, withRespectTo, out HashSet<Tensor> active);
        Dictionary<Tensor, Tensor> gradients = new() { [loss] = Constant(1, loss.Type) };
        foreach (Derivation derivation in path)
        {
            Tensor?[] received = [.. derivation.Outputs.Select(output => gradients.GetValueOrDefault(output))];
            foreach ((Tensor input, Func<Tensor?[], Tensor> gradient) in derivation.Inputs)
            {
                if (active.Contains(input) && received.Any(g => g is not null))
                {
                    Tensor contribution = gradient(received);
                    if (!contribution.Shape.Equals(input.Shape))
                    {
                        throw new InvalidOperationException(
                            $"The gradient of {derivation.Outputs[0].Producer?.Operation} has shape {contribution.Shape} for an input of shape {input.Shape}.");
                    }

                    gradients[input] = gradients.TryGetValue(input, out Tensor? sum) ? sum + contribution : contribution;
                }
            }
        }

        return [.. withRespectTo.Select(tensor => gradients.TryGetValue(tensor, out Tensor? gradient)
            ? gradient
            : throw new ArgumentException(
                $"Gradients: the loss does not depend on '{tensor.Name}' through differentiable operators. Use it, or leave it out (a weight: freeze it).",
                nameof(withRespectTo)))];
    }

    /// <summary>
    /// The derivations between tensors and the loss, last first, and the tensors among them that depend on
    /// <paramref name="sources"/>.
    /// </summary>
    private static List<Derivation> PathTo(Tensor loss, IReadOnlyList<Tensor> sources, out HashSet<Tensor> active)
    {
        HashSet<Derivation> ancestors = [];
        Stack<Tensor> open = new([loss]);
        while (open.TryPop(out Tensor? tensor))
        {
            if (tensor.Derivation is { } derivation && ancestors.Add(derivation))
            {
                foreach ((Tensor input, _) in derivation.Inputs)
                {
                    open.Push(input);
                }
            }
        }

        // Numbers of results are above those of inputs, so this order has inputs first.
        active = [.. sources];
        List<Derivation> path = [];
        foreach (Derivation derivation in ancestors.OrderBy(a => a.Outputs[0].Id))
        {
            if (derivation.Inputs.Select(i => i.Input).Any(active.Contains))
            {
                active.UnionWith(derivation.Outputs);
                path.Add(derivation);
            }
        }

        path.Reverse();
        return path;
    }
}
