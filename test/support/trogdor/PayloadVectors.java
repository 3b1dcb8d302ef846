import java.io.PrintStream;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Map;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.kafka.trogdor.common.JsonUtil;
import org.apache.kafka.trogdor.workload.PayloadGenerator;

/** Reads a list of {"spec", "positions"} and prints it with what the real generators make of each. */
public class PayloadVectors {
    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        ArrayNode list = (ArrayNode) JsonUtil.JSON_SERDE.readTree(System.in);
        for (JsonNode one : list) {
            PayloadGenerator generator = JsonUtil.JSON_SERDE.treeToValue(one.get("spec"), PayloadGenerator.class);
            ArrayNode made = ((ObjectNode) one).putArray("made");
            for (JsonNode position : one.get("positions")) {
                byte[] bytes = generator.generate(position.asLong());
                if (bytes == null) made.addNull();
                else made.add(HexFormat.of().formatHex(bytes));
            }
        }
        out.println(JsonUtil.JSON_SERDE.writeValueAsString(list));
    }
}
