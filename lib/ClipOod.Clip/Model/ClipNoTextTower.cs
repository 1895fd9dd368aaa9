using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>
/// CLIPN's "no" text tower (arXiv 2308.12213, as in the released code): a copy of the whole text tower, and prompts that are added to the
/// embeddings of a caption at all positions. Only these learn; the image tower, the text tower and the logit scale are to be frozen.
/// <see cref="ClipnTrainer"/> trains it.
/// </summary>
public sealed class ClipNoTextTower
{
    /// <summary>The number of prompts of the released code.</summary>
    public const int DefaultPrompts = 16;

    private const string Prefix = "no.";
    private const string PromptName = "no_prompt";

    private readonly ClipModel _model;

    private ClipNoTextTower(ClipModel model, int prompts, Func<string, int[], Initial> initial)
    {
        ClipConfig config = model.Config;
        _model = model;
        Tower = new ClipTextTower(model.Graph, config, initial, Prefix);
        int[] shape = [prompts, config.ContextLength, config.Text.Width];
        Prompts = model.Graph.Weight(Prefix + PromptName, [.. shape.Select(size => (long)size)], initial(PromptName, shape));

        // Encoding cuts rows after their end token.
        Texts = model.Graph.Input(Prefix + "texts", ElementType.Int64, "count", "length");
        Weights = model.Graph.Input(Prefix + "weights", ElementType.Float, 1, prompts);
        Features = Encode(Texts, Weights);
    }

    /// <summary>The transformer.</summary>
    public ClipTextTower Tower { get; }

    /// <summary>The prompts, shape (prompts, context length, width).</summary>
    public Weight Prompts { get; }

    /// <summary>Texts of any length up to the context's, Int64, shape (count, length): what <see cref="Features"/> are of.</summary>
    internal Tensor Texts { get; }

    /// <summary>The weights of the prompts for all texts, shape (1, prompts).</summary>
    internal Tensor Weights { get; }

    /// <summary>The "no" features of <see cref="Texts"/>, not normalised.</summary>
    internal Tensor Features { get; }

    /// <summary>A copy of a model's text tower as it is now, with prompts of zeros: where CLIPN's training starts.</summary>
    /// <param name="model">The model; the new tower belongs to its graph, of which it can be the only "no" tower.</param>
    /// <param name="prompts">Number of prompts, at least 1.</param>
    public static ClipNoTextTower CopyOf(ClipModel model, int prompts = DefaultPrompts)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(prompts, 1);
        return new ClipNoTextTower(model, prompts, (name, _) => name == PromptName
            ? Initial.Constant(0)
            : Initial.Values(model.TextTower.Weights[name].Value.Values<float>()));
    }

    /// <summary>
    /// A tower from a safetensors or torch file of text weights in OpenAI's layout and the tensor no_prompt, or from a checkpoint of CLIPN's
    /// own code, which holds them beside CLIP's under names with _no.
    /// </summary>
    /// <param name="model">The model that it belongs to.</param>
    /// <param name="path">The file; no_prompt has the shape (prompts, context length, width), or (context length, width) for one.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">Tensors are missing, unknown or of the wrong shape; all are listed.</exception>
    public static ClipNoTextTower Load(ClipModel model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        using ModelTensors file = ModelTensors.Open(path);
        ModelTensors tensors = file.OfNoEncoder(PromptName);
        IReadOnlyList<int> found = tensors.Find(PromptName)?.Shape ?? [];
        int[] one = [model.Config.ContextLength, model.Config.Text.Width];
        int prompts = found.Count == 3 ? found[0] : 1;
        Dictionary<string, IReadOnlyList<int>> shapes = new()
        {
            [PromptName] = found.Count == 3 ? [prompts, .. one] : one,
        };
        if (tensors.Find("logit_scale") is not null)
        {
            shapes.Add("logit_scale", []);
        }

        foreach ((string name, int[] shape) in ClipLayouts.TextTensors(model.Config))
        {
            shapes.Add(name, shape);
        }

        ClipWeights.Check(tensors, ClipLayout.OpenAi, shapes, $"the \"no\" text tower of {model.Config}");
        return new ClipNoTextTower(model, prompts, (name, _) => Initial.Values(tensors.Find(name)!.ToSingles()));
    }

    /// <summary>Says whether trainers made from now on learn the tower and its prompts.</summary>
    /// <param name="trainable">False to freeze them.</param>
    public void SetTrainable(bool trainable)
    {
        Tower.SetTrainable(trainable);
        Prompts.Trainable = trainable;
    }

    /// <summary>The "no" features of captions, not normalised.</summary>
    /// <param name="ids">Token numbers, Int64, shape (batch, length): whole rows, or rows cut after the last end token.</param>
    /// <param name="mixture">
    /// The weight of each prompt for each caption, shape (batch, prompts), or (1, prompts) for all: see <see cref="DrawMixture(int, Random)"/>. Null: the mean of the prompts, as
    /// in inference.
    /// </param>
    /// <returns>Shape (batch, embedding width).</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public Tensor Encode(Tensor ids, Tensor? mixture = null) => Encode(ids, mixture, places: null);

    /// <summary>
    /// The "no" feature of each class as the ensemble of its prompts: features of length 1, their sum, and again a length of 1. The templates
    /// are the positive ones that the text tower gets, too: the tower supplies the "no".
    /// </summary>
    /// <param name="classNames">The classes.</param>
    /// <param name="templates">The templates, each with a place for the class name; for a tower trained on negated texts, negated ones.</param>
    /// <param name="averaging">Where the learned prompts become one. Defaults to before the encoder, as in the released code.</param>
    /// <param name="options">Batch size, what to do with texts that are too long, progress; the result is always normalised.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each class.</returns>
    /// <exception cref="ArgumentException">There is no template, or one has no place for the class name.</exception>
    /// <exception cref="InvalidOperationException">The model has no tokenizer.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public ClipEncoding EncodeNoClasses(
        IReadOnlyList<string> classNames,
        IReadOnlyList<string> templates,
        ClipnPromptAveraging averaging = ClipnPromptAveraging.BeforeEncoder,
        ClipEncodingOptions? options = null,
        CancellationToken cancellation = default)
    {
        using ClipNoEncoder encoder = new(_model, this, averaging);
        return encoder.EncodeClasses(classNames, templates, options, cancellation);
    }

    /// <summary>
    /// Draws the prompt of each caption of a training batch, evenly from the prompts and their mean, as a row of weights.
    /// </summary>
    /// <param name="batch">Number of captions.</param>
    /// <param name="random">The generator, made with a seed of the caller's.</param>
    /// <returns>Batch × prompts weights, row by row; each row sums to 1.</returns>
    public float[] DrawMixture(int batch, Random random) => DrawMixture(batch, (int)Prompts.Shape[0].Size, random);

    /// <summary>Draws rows of weights over prompts, evenly from the prompts and their mean, as <see cref="DrawMixture(int, Random)"/> does.</summary>
    /// <param name="batch">Number of captions.</param>
    /// <param name="prompts">Number of prompts.</param>
    /// <param name="random">The generator, made with a seed of the caller's.</param>
    /// <returns>Batch × prompts weights, row by row; each row sums to 1.</returns>
    public static float[] DrawMixture(int batch, int prompts, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        float[] mixture = new float[batch * prompts];
        for (int row = 0; row < batch; row++)
        {
            Span<float> weights = mixture.AsSpan(row * prompts, prompts);
            int drawn = random.Next(prompts + 1);
            if (drawn < prompts)
            {
                weights[drawn] = 1;
            }
            else
            {
                weights.Fill(1f / prompts);
            }
        }

        return mixture;
    }

    /// <summary>Writes the tower and its prompts, in the form that <see cref="Load"/> reads. The file appears under its name when it is complete.</summary>
    /// <param name="path">The file; one of this name is replaced.</param>
    public void Save(string path) => Safetensors.Write(
        path,
        Tower.Weights.Select(entry => ClipModel.ToSafetensors(entry.Key, entry.Value.Value)).Append(ClipModel.ToSafetensors(PromptName, Prompts.Value)));

    /// <summary>The same with factors of the prompts' positions, shape (context length, 1): 0 where nothing is to be added.</summary>
    internal Tensor Encode(Tensor ids, Tensor? mixture, Tensor? places)
    {
        ArgumentNullException.ThrowIfNull(ids);
        Tensor prompts = places is null ? Prompts : Prompts * places;
        (Dimension count, Dimension length, Dimension width) = (prompts.Shape[0], prompts.Shape[1], prompts.Shape[2]);
        if (ids.Rank == 2 && ids.Shape[1] != length)
        {
            // Cut as the rows are.
            (prompts, length) = (prompts.Gather(ids.Indices(1), axis: 1), ids.Shape[1]);
        }

        return Tower.Encode(ids, mixture is null
            ? prompts.Mean([0])
            : mixture.MatMul(prompts.Reshape(count, length * width)).Reshape(mixture.Shape[0], length, width));
    }
}
