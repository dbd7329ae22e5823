#include "agents/sdk/client.h"

int main() {}
